-- Tags are kept under their full names.

create image repository r tag (team = 'blue', local.public.cost = '1');
select system$get_tag('local.public.team', 'local.public.r', 'image repository') as v;
--> V
--> blue
select system$get_tag('cost', 'r', 'image_repository') as v;
--> V
--> 1
alter image repository r set tag team = 'red';
alter image repository r unset tag cost;
select system$get_tag('team', 'r', 'image repository') a, system$get_tag('cost', 'r', 'image repository') b;
--> A | B
--> red | NULL
select system$get_tag('team', 'r', 'warehouse');
--! 001008 (22023): SQL compilation error:\ninvalid value ['warehouse'] for parameter 'SYSTEM$GET_TAG'
