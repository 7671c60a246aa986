-- Grants: who may give them, how they are shown, what takes them away.

use role accountadmin;
create role a;
create role b;
grant role a to user local;
grant role b to user local;
use role sysadmin;
create image repository r;
grant usage on database local to role a;
grant usage on schema local.public to role a;
grant read on image repository r to role a;
grant read, write on image repository r to role a with grant option;
show grants on image repository r;
--> privilege | granted_on | name | granted_to | grantee_name | grant_option | granted_by
--> OWNERSHIP | IMAGE_REPOSITORY | LOCAL.PUBLIC.R | ROLE | SYSADMIN | true | SYSADMIN
--> READ | IMAGE_REPOSITORY | LOCAL.PUBLIC.R | ROLE | A | true | SYSADMIN
--> WRITE | IMAGE_REPOSITORY | LOCAL.PUBLIC.R | ROLE | A | true | SYSADMIN

-- With the grant option a role grants on, and no more than it has.
use role a;
grant read on image repository local.public.r to role b;
grant service read on image repository local.public.r to role b;
--! 003001 (42501): SQL access control error:\nInsufficient privileges to operate on image repository 'R'
show grants to role b;
--> privilege | granted_on | name | granted_by
--> READ | IMAGE_REPOSITORY | LOCAL.PUBLIC.R | A
grant read on image repository local.public.r to role nobody;
--! 002003 (02000): SQL compilation error:\nRole 'NOBODY' does not exist or not authorized.

use role sysadmin;
revoke grant option for write on image repository r from role a;
revoke read on image repository r from role a;
show grants to role a;
--> privilege | name | grant_option
--> USAGE | LOCAL | false
--> WRITE | LOCAL.PUBLIC.R | false
--> USAGE | LOCAL.PUBLIC | false

grant all privileges on image repository r to role a;
show grants to role a;
--> privilege | name
--> USAGE | LOCAL
--> READ | LOCAL.PUBLIC.R
--> SERVICE READ | LOCAL.PUBLIC.R
--> SERVICE WRITE | LOCAL.PUBLIC.R
--> WRITE | LOCAL.PUBLIC.R
--> USAGE | LOCAL.PUBLIC

-- OR REPLACE makes a new object: the grants are gone, and its owner is who replaced it.
create or replace image repository r;
show grants on image repository r;
--> privilege | grantee_name
--> OWNERSHIP | SYSADMIN

-- Dropping the schema takes its repositories and their grants along.
create schema s;
create image repository local.s.r;
grant read on image repository local.s.r to role b;
drop schema local.s;
show grants to role b;
--> privilege

-- A role that was given to another is listed as its usage.
use role accountadmin;
create role giver;
create role taker;
grant role giver to role taker;
show grants to role taker;
--> privilege | granted_on | name | grantee_name
--> USAGE | ROLE | GIVER | TAKER
