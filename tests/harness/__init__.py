"""Test harness: a whole network that tests drive from outside, by HTTP requests, the clock and the mails that leave.

`network` is its face, `people` the requests of a sample community, `runtimes` the ways of running it: containers on the
embedded bus or on real servers, events carried by hand and shuffled; `faulty` is the one in which everything may fail.
"""
