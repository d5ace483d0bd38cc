"""How every list is answered: a page with what comes next, totals, CSV."""
