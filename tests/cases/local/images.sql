-- Images: several tags mean one digest, and everything goes with the repository.

create image repository r;
--@ image LOCAL.PUBLIC.R app latest sha256:aaa
--@ image LOCAL.PUBLIC.R app v1 sha256:aaa
--@ image LOCAL.PUBLIC.R web v1 sha256:bbb
show images in image repository r;
--> image_name | tags | digest | image_path
--> app | latest, v1 | sha256:aaa | local/public/r/app:latest
--> web | v1 | sha256:bbb | local/public/r/web:v1
show images like 'W%' in image repository local.public.r;
--> image_name
--> web

-- A tag that moves leaves the old image without it.
--@ image LOCAL.PUBLIC.R app latest sha256:ccc
show images like 'app' in image repository r;
--> tags | digest
--> v1 | sha256:aaa
--> latest | sha256:ccc

show images in image repository nowhere;
--! 002003 (02000): SQL compilation error:\nImage Repository 'LOCAL.PUBLIC.NOWHERE' does not exist or not authorized.
create or replace image repository r;
show images in image repository r;
--> image_name
--@ image LOCAL.PUBLIC.R app latest sha256:aaa
drop image repository r;
create image repository r;
show images in image repository r;
--> image_name
