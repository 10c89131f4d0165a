"""One file per provider; each answers plain records or raises SourceError."""
