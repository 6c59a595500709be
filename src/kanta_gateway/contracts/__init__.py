"""Guard: what purchaser and provider have agreed, judged over everything that is known about one client.

* In: minimal facts of records (dates, hours, booleans; never narrative text) and a purchaser's contract file.
* Out: findings and an outcome for each record, and the figures derived from those that stand.
* Always holds: the result is a function of the set of records, not of the order in which they came;
  whatever one purchaser agreed is in `mappings/contracts/`, the closed set of rule kinds is here.
"""
