-- What does not read as a statement of this account.

selec 1;
--! 001003 (42000): SQL compilation error:\nsyntax error line 1 at position 0 unexpected 'selec'.
drop image
  repository 1;
--! 001003 (42000): SQL compilation error:\nsyntax error line 2 at position 13 unexpected '1'.
drop image repository;
--! 001003 (42000): SQL compilation error:\nsyntax error line 1 at position 21 unexpected '<EOF>'.
create table t (a int);
--! 000002 (0A000): Unsupported feature 'CREATE TABLE'.
insert into t values (1);
--! 000002 (0A000): Unsupported feature 'INSERT'.
select a;
--! 000904 (42000): SQL compilation error:\ninvalid identifier 'A'
select frobnicate();
--! 002140 (42601): SQL compilation error:\nUnknown function FROBNICATE
grant usage on image repository r to role public;
--! 001003 (42000): SQL compilation error:\nsyntax error line 1 at position 6 unexpected 'usage'.
