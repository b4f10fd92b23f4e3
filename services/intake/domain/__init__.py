"""What intake knows without a database: what may be filed, who may file it, and how far a case has come."""
