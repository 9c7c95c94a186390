"""`python -m cloudseg` is the program `cloudseg`."""

from cloudseg.cli import main

main()
