"""Language models behind one contract (:mod:`engine.llm.base`)."""
