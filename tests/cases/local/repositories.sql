-- A repository's life, with the words of a real account.

create image repository my_repo;
--> status
--> Image Repository MY_REPO successfully created.

create image repository local.public.My_Repo;
--! 002002 (42710): SQL compilation error:\nObject 'MY_REPO' already exists.

create image repository if not exists my_repo comment = 'not taken';
--> status
--> MY_REPO already exists, statement succeeded.

show image repositories in account;
--> created_on | name | database_name | schema_name | repository_url | owner | owner_role_type | comment | encryption | privatelink_repository_url
--> * | MY_REPO | LOCAL | PUBLIC | local-account.registry.localhost/local/public/my_repo | SYSADMIN | ROLE |  | SNOWFLAKE_FULL | 

-- Clauses in any order; quotes in a comment survive.
create image repository sse comment = 'it''s \\ here' encryption = (type = 'SNOWFLAKE_SSE');
show image repositories like 'sse' in schema local.public;
--> name | comment | encryption
--> SSE | it's \ here | SNOWFLAKE_SSE

create image repository wrong encryption = (type = 'ROT13');
--! 001008 (22023): SQL compilation error:\ninvalid value ['ROT13'] for parameter 'ENCRYPTION TYPE'

create or replace image repository if not exists my_repo;
--! 002050 (42601): SQL compilation error:\noptions OR REPLACE and IF NOT EXISTS are incompatible.

alter image repository my_repo set comment = 'first';
--> status
--> Statement executed successfully.
alter image repository my_repo unset comment;
--! 000002 (0A000): Unsupported feature 'UNSET'.
show image repositories like 'my\\_repo';
--> comment
--> first
alter image repository my_repo set comment = '';
show image repositories like 'my\\_repo';
--> comment
--> 
alter image repository if exists nowhere set comment = 'x';
--> status
--> Statement executed successfully.
alter image repository nowhere set comment = 'x';
--! 002003 (02000): SQL compilation error:\nImage Repository 'LOCAL.PUBLIC.NOWHERE' does not exist or not authorized.

drop image repository my_repo;
--> status
--> MY_REPO successfully dropped.
drop image repository my_repo;
--! 002003 (02000): SQL compilation error:\nImage Repository 'LOCAL.PUBLIC.MY_REPO' does not exist or not authorized.
drop image repository if exists my_repo;
--> status
--> Drop statement executed successfully (MY_REPO already dropped).

-- IF EXISTS speaks of the repository, not of what should hold it.
drop image repository if exists local.nowhere.my_repo;
--! 002003 (02000): SQL compilation error:\nSchema 'LOCAL.NOWHERE' does not exist or not authorized.
drop image repository if exists nowhere.public.my_repo;
--! 002003 (02000): SQL compilation error:\nDatabase 'NOWHERE' does not exist or not authorized.
show image repositories in schema local.nowhere;
--! 002003 (02000): SQL compilation error:\nSchema 'LOCAL.NOWHERE' does not exist or not authorized.
