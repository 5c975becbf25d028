"""The part of the solver that is compiled to machine code (``jit.compiled``).

``board`` lays a plant out in flat arrays; ``calendar`` places work in working time; ``timing``
re-times what a move touches and prices it; ``moves`` and ``recreate`` change the sequences;
``anneal`` runs the search. All of it is plain Python over NumPy arrays and runs, slowly, without
the compiler too (``NUMBA_DISABLE_JIT=1``), which is how to step through it.
"""
