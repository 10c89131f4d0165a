"""The console: screens on the same database (Streamlit)."""
