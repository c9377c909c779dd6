"""`python -m fechatter` is the command `fechatter`."""

from fechatter.cli.main import main

if __name__ == "__main__":
    main()
