"""Load tests of a running Edge with locust; see docs/load-testing.md.

They speak HTTP only and import nothing of `edge`. What imports locust patches the whole process
(gevent), so the pure parts do without it: they are tested in a process that is not patched.
"""
