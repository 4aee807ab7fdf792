#!/bin/sh
# Makes the files under secrets/ that docker-compose.yml reads, each with a value of its own. What is there stays;
# what an older .env held is taken over. Keep a copy of address_keys: without it no stored address can ever be read.
# The directory is for you alone. The files can be read by all, because each container reads its own as its own user.
set -eu
cd "$(dirname "$0")/.."
umask 077
mkdir -p secrets
chmod 700 secrets

random() { head -c 32 /dev/urandom | base64 | tr -d '\n'; }
# for what stands in a URL
word() { head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
# from_env NAME: its value in .env, nothing when it has none
from_env() { [ ! -f .env ] || sed -n "s/^$1=//p" .env | tail -n 1; }
# keep FILE NAME DEFAULT: makes secrets/FILE of what .env has as NAME, else of DEFAULT
keep() {
    [ -e "secrets/$1" ] && return
    value=$(from_env "$2")
    printf '%s\n' "${value:-$3}" > "secrets/$1"
    chmod 444 "secrets/$1"
    echo "made secrets/$1"
}

keep postgres_password POSTGRES_PASSWORD "$(word)"
keep redis_password REDIS_PASSWORD "$(word)"
keep database_url "" "postgres://newsletter:$(cat secrets/postgres_password)@postgres:5432/newsletter"
keep broker_url "" "redis://:$(cat secrets/redis_password)@redis:6379/0"
keep secret_key NEWSLETTER_SECRET_KEY "$(random)"
keep address_keys NEWSLETTER_ADDRESS_KEYS "1:$(random),index:$(random)"
keep metrics_token NEWSLETTER_METRICS_TOKEN "$(word)"
keep mail_url NEWSLETTER_MAIL_URL outbox:
keep mail_url_2 NEWSLETTER_MAIL_URL_2 ""
keep sendgrid_api_key NEWSLETTER_SENDGRID_API_KEY ""
keep sendgrid_api_key_2 NEWSLETTER_SENDGRID_API_KEY_2 ""
