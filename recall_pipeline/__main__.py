"""`python -m recall_pipeline`, the same as `recall-pipeline`."""

from recall_pipeline.cli import main

if __name__ == "__main__":  # worker processes import this module under another name
    main()
