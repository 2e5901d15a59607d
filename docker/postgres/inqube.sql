-- Runs once, when the database is made: gives it to a role of InQube's own, which is no superuser.
\set password `cat /run/secrets/database_password`
CREATE ROLE inqube LOGIN PASSWORD :'password';
ALTER DATABASE inqube OWNER TO inqube;
