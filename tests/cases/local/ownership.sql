-- GRANT OWNERSHIP, with and without the grants that there are.

use role accountadmin;
create role a;
create role b;
grant role a to user local;
use role sysadmin;
grant usage on database local to role a;
grant usage on schema local.public to role a;
create image repository r;
grant read on image repository r to role b;
grant ownership on image repository r to role a;
--! 003036 (0LP01): SQL execution error:\nDependent grant of privilege 'READ' on securable 'image repository R' exists. It must be revoked first. To revoke all dependent grants while transferring object ownership, use convenience command 'GRANT OWNERSHIP ON <target_objects> TO <target_role> REVOKE CURRENT GRANTS'.
-- Copies are granted in the new owner's name, so one must be that role, or manage grants.
grant ownership on image repository r to role a copy current grants;
--! 003001 (42501): SQL access control error:\nInsufficient privileges to operate on image repository 'R'

use role accountadmin;
grant ownership on image repository local.public.r to role a copy current grants;
show grants on image repository local.public.r;
--> privilege | grantee_name | granted_by
--> OWNERSHIP | A | A
--> READ | B | A

use role a;
grant ownership on image repository local.public.r to role sysadmin revoke current grants;
show image repositories in account;
--> name
use role sysadmin;
show grants on image repository r;
--> privilege | grantee_name
--> OWNERSHIP | SYSADMIN
