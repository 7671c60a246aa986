-- The clauses of SHOW.

create image repository ab;
create image repository a_b;
create image repository axb;
create schema other;
create image repository ab;
create image repository zz;

show image repositories in account;
--> schema_name | name
--> OTHER | AB
--> OTHER | ZZ
--> PUBLIC | AB
--> PUBLIC | AXB
--> PUBLIC | A_B
-- LIKE ignores case; a backslash takes the meaning from a wildcard, and is doubled in a literal.
show image repositories like 'A_b' in schema public;
--> name
--> AXB
--> A_B
show image repositories like 'a\\_b' in public;
--> name
--> A_B
-- STARTS WITH does not.
show image repositories in account starts with 'a';
--> name
show image repositories in account starts with 'AX';
--> name
--> AXB
show image repositories in schema;
--> name
--> AB
--> ZZ
show image repositories in database local limit 2;
--> schema_name | name
--> OTHER | AB
--> OTHER | ZZ
show image repositories in schema public limit 2 from 'AB';
--> name
--> AXB
--> A_B
show image repositories in schema public limit 5 from 'A_B';
--> name
show terse image repositories like 'zz';
--> name | kind | database_name | schema_name
--> ZZ | IMAGE_REPOSITORY | LOCAL | OTHER
show image repositories in schema snowflake.images;
--> name
