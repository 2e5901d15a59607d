"""`manage.py doctor`: what is wrong with an installation, found by asking everything that it is made of.

An area is a module: checks that share what they ask, such as a connection to the database. A check is a function that
gives one finding: how it is, in words, and what to do about it. Areas run side by side, so one that hangs costs
seconds, and every other line still comes.
"""
