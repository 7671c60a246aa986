-- Names fold; what only quotes permit is refused for image repositories and what holds them.

create image repository "R";
create image repository r;
--! 002002 (42710): SQL compilation error:\nObject 'R' already exists.
drop image repository IDENTIFIER('local.public."R"');
--> status
--> R successfully dropped.

create image repository "r";
--! 001420 (22023): SQL compilation error:\nInvalid name LOCAL.PUBLIC."r": db, schema and repo names for an image repo must be unquoted identifiers.
create image repository "a-b";
--! 001420 (22023): SQL compilation error:\nInvalid name LOCAL.PUBLIC."a-b": db, schema and repo names for an image repo must be unquoted identifiers.

-- Schemas and databases may have such names, and hold no repository then.
create schema "my schema";
create image repository r;
--! 001420 (22023): SQL compilation error:\nInvalid name LOCAL."my schema".R: db, schema and repo names for an image repo must be unquoted identifiers.
create image repository local."my schema".r;
--! 001420 (22023): SQL compilation error:\nInvalid name LOCAL."my schema".R: db, schema and repo names for an image repo must be unquoted identifiers.
show image repositories in schema local."my schema";
--> name

-- Without a current schema, or a current database, incomplete names cannot be completed.
drop schema "my schema";
create image repository r;
--! 090106 (22000): Cannot perform CREATE IMAGE REPOSITORY. This session does not have a current schema. Call 'USE SCHEMA', or use a qualified name.
create image repository public.r;
create database other;
drop database other;
create image repository r;
--! 090105 (22000): Cannot perform CREATE IMAGE REPOSITORY. This session does not have a current database. Call 'USE DATABASE', or use a qualified name.
drop image repository public.r;
--! 090105 (22000): Cannot perform DROP IMAGE REPOSITORY. This session does not have a current database. Call 'USE DATABASE', or use a qualified name.
show image repositories in schema public;
--! 090105 (22000): Cannot perform SHOW IMAGE REPOSITORIES. This session does not have a current database. Call 'USE DATABASE', or use a qualified name.
-- Without IN and without a current database, SHOW looks everywhere.
show image repositories;
--> database_name | schema_name | name
--> LOCAL | PUBLIC | R
