"""Backups of the database: a directory each in BACKUP_DIR, complete or not there.

    inqube-20261130T020000Z/
        manifest.json   what is in it: `manifest`
        dump/           pg_dump's directory format

`catalogue` finds them, `take` makes one, `restore` puts one into a database, `contents` says whether two databases are
the same.
"""


class BackupError(Exception):
    """Why there is no backup, or no restored database, in a sentence for the person who asked for it."""
