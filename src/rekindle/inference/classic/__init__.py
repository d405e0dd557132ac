"""One person's parameters in the classic way: a published population model, an event table, the most likely person.

Works for any Antimony or SBML model with a table of parameters. Start with `population` (typical values, spread,
measurement error) and `individual` (estimates).
"""
