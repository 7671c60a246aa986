-- What a session knows about itself, and how it moves.

select current_role() as role, current_user(), current_account(), current_warehouse() as w, 1 as n, 'x', true t;
--> ROLE | CURRENT_USER() | CURRENT_ACCOUNT() | W | N | 'X' | T
--> SYSADMIN | LOCAL | LOCAL | NULL | 1 | x | 1
select current_warehouse() is not null as has_warehouse, current_role() is not null as has_role;
--> HAS_WAREHOUSE | HAS_ROLE
--> 0 | 1
use warehouse wh;
select current_warehouse();
--> CURRENT_WAREHOUSE()
--> WH
select current_available_roles() as roles;
--> ROLES
--> ["ACCOUNTADMIN","PUBLIC","SECURITYADMIN","SYSADMIN","USERADMIN"]

use role "ACCOUNTADMIN";
select current_role() r;
--> R
--> ACCOUNTADMIN
use role nobody;
--! 002043 (02000): SQL compilation error:\nObject does not exist, or operation cannot be performed.
create role unassigned;
use role unassigned;
--! 003013 (42501): SQL access control error:\nRequested role 'UNASSIGNED' is not assigned to the executing user. Specify another role to activate.
use secondary roles all;

create database db;
create schema s;
use database local;
select current_database() d, current_schema() s;
--> D | S
--> LOCAL | PUBLIC
use schema db.s;
select current_database() d, current_schema() s;
--> D | S
--> DB | S
use db.public;
use local;
select current_database() d, current_schema() s;
--> D | S
--> LOCAL | PUBLIC
use database nowhere;
--! 002043 (02000): SQL compilation error:\nObject does not exist, or operation cannot be performed.
use schema nowhere;
--! 002043 (02000): SQL compilation error:\nObject does not exist, or operation cannot be performed.
drop schema db.public;
use database db;
select current_schema() s;
--> S
--> NULL

alter session set query_tag = 'abc', python_connector_query_result_format = 'json';
show parameters like 'query%' in session;
--> key | value
--> QUERY_TAG | abc
alter session unset query_tag;
show parameters;
--> key | value
--> PYTHON_CONNECTOR_QUERY_RESULT_FORMAT | json
