"""What of this folder is not for pytest: the settings of Sphinx, what it makes, and its copies of the notebooks."""

collect_ignore_glob = ["conf.py", "_build/*", "notebooks/*"]
