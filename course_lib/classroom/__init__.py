"""What students and instructors type outside a notebook: `python -m course_lib check`.

`check` must be able to say that nothing is installed yet, so this file imports nothing.
"""
