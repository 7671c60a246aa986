-- Roles and users belong to somebody, too.

create role r;
--! 003001 (42501): SQL access control error:\nInsufficient privileges to operate on account 'LOCAL'
create user u;
--! 003001 (42501): SQL access control error:\nInsufficient privileges to operate on account 'LOCAL'
alter user local set default_role = public;
--! 003001 (42501): SQL access control error:\nInsufficient privileges to operate on user 'LOCAL'
show users;
--! 003001 (42501): SQL access control error:\nInsufficient privileges to operate on account 'LOCAL'

use role useradmin;
create role r;
create role r;
--! 002002 (42710): SQL compilation error:\nObject 'R' already exists.
create role if not exists r;
--> status
--> R already exists, statement succeeded.
create user u password = 'secret' default_role = r comment = 'somebody';
show users like 'u';
--> name | comment | default_role | owner | has_password | has_rsa_public_key
--> U | somebody | R | USERADMIN | true | false
alter user u unset password;
alter user u set rsa_public_key = 'nonsense';
--! 001008 (22023): SQL compilation error:\ninvalid value ['not an RSA public key'] for parameter 'RSA_PUBLIC_KEY'
show users like 'u';
--> has_password
--> false
grant role r to user u;
show grants to user u;
--> role | granted_to | grantee_name | granted_by
--> R | USER | U | USERADMIN
grant role sysadmin to user u;
--! 003001 (42501): SQL access control error:\nInsufficient privileges to operate on role 'SYSADMIN'
create role inner_role;
grant role inner_role to role r;
grant role r to role inner_role;
--! 003037 (0LP01): SQL execution error:\nGranting role 'R' to 'INNER_ROLE' would create a cycle of roles.
drop role sysadmin;
--! 003005 (42501): SQL compilation error:\nRole 'SYSADMIN' is a system-defined role.
drop user u;
--> status
--> U successfully dropped.
alter user u set comment = 'x';
--! 002003 (02000): SQL compilation error:\nUser 'U' does not exist or not authorized.

-- What a dropped role owned goes to the role that dropped it.
use role accountadmin;
grant role r to user local;
grant usage on database local to role r;
grant usage, create image repository on schema local.public to role r;
use role r;
create image repository local.public.orphan;
use role useradmin;
drop role r;
use role accountadmin;
show image repositories like 'orphan' in account;
--> owner
--> USERADMIN
