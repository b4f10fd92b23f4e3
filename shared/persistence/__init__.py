"""PostgreSQL: transactions, set-based statements, the unit of work, migrations."""
