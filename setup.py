"""What goes into the wheel: the packages, and the files they read, under names of our own.

In site-packages a folder named ``data`` or ``pages`` may belong to anybody.
"""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages(include=["engine", "engine.*", "console", "console.*"]),
        "btcbuzz_app",
        "btcbuzz_app.pages",
        "btcbuzz_data",
        "btcbuzz_streamlit",
    ],
    package_dir={
        "btcbuzz_app": ".",
        "btcbuzz_app.pages": "pages",
        "btcbuzz_data": "data",
        "btcbuzz_streamlit": ".streamlit",
    },
    package_data={
        "engine.store": ["schema/*.sql"],
        "console": ["*.png"],
        "btcbuzz_data": ["*.json", "*.csv", "*.txt", "*/*.json"],
        "btcbuzz_streamlit": ["config.toml"],
    },
    py_modules=[],
)
