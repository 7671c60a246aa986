-- SHOW hides what a role may not see, and a hidden name is taken all the same.

use role accountadmin;
create role reader;
create role writer;
create role stranger;
grant role reader to user local;
grant role writer to user local;
grant role stranger to user local;
use role sysadmin;
create image repository local.public.r;
grant usage on database local to role reader;
grant usage on schema local.public to role reader;
grant usage on database local to role writer;
grant usage on schema local.public to role writer;

use role reader;
show image repositories in account;
--> name
drop image repository local.public.r;
--! 002003 (02000): SQL compilation error:\nImage Repository 'LOCAL.PUBLIC.R' does not exist or not authorized.
create image repository local.public.r;
--! 003001 (42501): SQL access control error:\nInsufficient privileges to operate on schema 'PUBLIC'

use role sysadmin;
grant read on image repository local.public.r to role reader;
grant create image repository on schema local.public to role writer;

-- To read is to see, and not to drop.
use role reader;
show image repositories in account;
--> name | owner
--> R | SYSADMIN
show images in image repository local.public.r;
--> image_name
drop image repository local.public.r;
--! 003001 (42501): SQL access control error:\nInsufficient privileges to operate on image repository 'R'
alter image repository local.public.r set comment = 'x';
--! 003001 (42501): SQL access control error:\nInsufficient privileges to operate on image repository 'R'

-- Whoever may create but not see is told that the name is taken.
use role writer;
create image repository local.public.r;
--! 003041 (42710): SQL compilation error:\nObject 'LOCAL.PUBLIC.R' already exists, but current role has no privileges on it. If this is unexpected and you cannot resolve this problem, contact your system administrator. ACCOUNTADMIN role may be required to manage the privileges on the object.
create or replace image repository local.public.r;
--! 003041 (42710): SQL compilation error:\nObject 'LOCAL.PUBLIC.R' already exists, but current role has no privileges on it. If this is unexpected and you cannot resolve this problem, contact your system administrator. ACCOUNTADMIN role may be required to manage the privileges on the object.
create image repository local.public.mine;
show image repositories in account;
--> name | owner
--> MINE | WRITER

-- The owner of the schema owns no repository in it that another role made.
use role sysadmin;
show image repositories in account;
--> name | owner
--> R | SYSADMIN

-- A role without any privilege on the schema does not even see the schema.
use role stranger;
show image repositories in schema local.public;
--! 002003 (02000): SQL compilation error:\nDatabase 'LOCAL' does not exist or not authorized.
show image repositories in account;
--> name

-- MANAGE GRANTS sees everything.
use role securityadmin;
show image repositories in account;
--> name
--> MINE
--> R

-- To see a repository is not enough where the schema is not seen.
use role sysadmin;
grant read on image repository local.public.r to role stranger;
use role stranger;
show image repositories in account;
--> name

-- Rights come down the hierarchy of roles, and go when the link goes.
use role accountadmin;
grant role reader to role stranger;
use role stranger;
show image repositories in account;
--> name
--> R
use role accountadmin;
revoke role reader from role stranger;
use role stranger;
show image repositories in account;
--> name
