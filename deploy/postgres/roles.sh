#!/bin/sh
# One role and one database a service: it owns that, and may not even connect to another's. PostgreSQL's image runs it where its
# data is empty; on a server that has data: docker compose -f deploy/compose.yaml exec postgres sh /docker-entrypoint-initdb.d/roles.sh
# Again it makes what is missing, where it broke off, and sets the passwords anew; it removes nothing.
set -eu

sql() {
  psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname=postgres "$@"
}

# The password comes by the environment, not on a command line that others may list.
create() {
  SERVICE_PASSWORD="$2" sql --set=name="ipvi_$1" <<'SQL'
\getenv password SERVICE_PASSWORD
SELECT format('CREATE ROLE %I', :'name') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \gexec
ALTER ROLE :"name" LOGIN PASSWORD :'password';
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'name')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
SQL
}

create intake "$INTAKE_DB_PASSWORD"
create classifier "$CLASSIFIER_DB_PASSWORD"
create notifier "$NOTIFIER_DB_PASSWORD"
create victim_outreach "$VICTIM_OUTREACH_DB_PASSWORD"
create partners "$PARTNERS_DB_PASSWORD"

sql <<'SQL'
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', datname) FROM pg_database \gexec
SQL
