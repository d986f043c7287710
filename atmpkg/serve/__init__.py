"""The SPARQL endpoint: one HTTP process in front, and workers behind it that each answer one query at a time.

::

    clients ──HTTP──> front (application, crew) ──job──> worker  (jobs)     killed at the deadline
                                │                        worker  (jobs)
                                └──orders──> nursery: single-threaded, holds the graph, forks the workers

Entry: `atmpkg.serve.run.serve`. Nothing here is imported before ``atmpkg serve`` needs it.
"""
