-- The embedded account runs no services, and says so.

show services in account;
--> name | status
show services like 'x%' in schema local.public;
--> name
