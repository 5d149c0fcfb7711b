"""Exceptions of the package. Each carries a sentence that says what is wrong and the way out."""


class Error(Exception):
    """Something that rate2spike could not do, for instance a training that diverged."""

    __module__ = "rate2spike"


class InvalidValue(Error, ValueError):
    """A value, an array or a file whose content cannot be used."""

    __module__ = "rate2spike"


class FileError(Error, OSError):
    """A file that cannot be read or written."""

    __module__ = "rate2spike"


class MissingFile(FileError, FileNotFoundError):
    """A file that is not there."""

    __module__ = "rate2spike"
