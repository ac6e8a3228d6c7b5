"""What `python -m course_lib publish` makes of the committed notebooks: a web site, one PDF, slides, and the plan.

Nothing is executed, and nothing is loaded from another host, neither when it is built nor when it is read.
"""
