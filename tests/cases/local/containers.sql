-- Databases and schemas: they become current when they are made, and take what they hold along.

select current_database(), current_schema();
--> CURRENT_DATABASE() | CURRENT_SCHEMA()
--> LOCAL | PUBLIC
create database db;
--> status
--> Database DB successfully created.
select current_database(), current_schema();
--> CURRENT_DATABASE() | CURRENT_SCHEMA()
--> DB | PUBLIC
create schema s comment = 'hello';
--> status
--> Schema S successfully created.
select current_schema();
--> CURRENT_SCHEMA()
--> S
show schemas;
--> name | is_current | database_name | owner | comment
--> PUBLIC | N | DB | SYSADMIN | 
--> S | Y | DB | SYSADMIN | hello
show schemas like 'p%' in account;
--> database_name | name
--> DB | PUBLIC
--> LOCAL | PUBLIC
show databases;
--> name | is_current | owner
--> DB | Y | SYSADMIN
--> LOCAL | N | SYSADMIN
--> SNOWFLAKE | N | ACCOUNTADMIN

create database db;
--! 002002 (42710): SQL compilation error:\nObject 'DB' already exists.
create database if not exists db;
--> status
--> DB already exists, statement succeeded.
create schema db.s;
--! 002002 (42710): SQL compilation error:\nObject 'S' already exists.
create schema if not exists db.s;
--> status
--> S already exists, statement succeeded.
create schema nowhere.s;
--! 002003 (02000): SQL compilation error:\nDatabase 'NOWHERE' does not exist or not authorized.

create image repository r;
create or replace schema db.s;
show image repositories in database db;
--> name
drop database db;
--> status
--> DB successfully dropped.
show image repositories in database db;
--! 002003 (02000): SQL compilation error:\nDatabase 'DB' does not exist or not authorized.
drop database if exists db;
--> status
--> Drop statement executed successfully (DB already dropped).
drop schema if exists local.nowhere;
--> status
--> Drop statement executed successfully (NOWHERE already dropped).
drop schema if exists nowhere.s;
--! 002003 (02000): SQL compilation error:\nDatabase 'NOWHERE' does not exist or not authorized.

-- IF NOT EXISTS still asks for the privilege.
use role accountadmin;
create role poor;
grant role poor to user local;
grant usage on database local to role poor;
grant usage on schema local.public to role poor;
use role poor;
create schema if not exists local.public;
--! 003001 (42501): SQL access control error:\nInsufficient privileges to operate on database 'LOCAL'
create database mine;
--! 003001 (42501): SQL access control error:\nInsufficient privileges to operate on account 'LOCAL'
drop schema local.public;
--! 003001 (42501): SQL access control error:\nInsufficient privileges to operate on schema 'PUBLIC'
drop database local;
--! 003001 (42501): SQL access control error:\nInsufficient privileges to operate on database 'LOCAL'
