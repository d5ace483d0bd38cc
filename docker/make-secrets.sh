#!/bin/sh
# Makes what docker-compose.yml needs before its first start: `.env`, and the files in docker/secrets, passwords at random
# and the others empty. What is there already stays; values that an `.env` of release 0.1.0 gives are taken over.
# Run it in the project's folder: sh docker/make-secrets.sh
set -eu
umask 077

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
given() { sed -n "s/^$1=//p" .env | tail -n 1; }
set_value() { # NAME VALUE, where none is given
    [ -z "$(given "$1")" ] || return 0
    sed "/^$1=/d" .env > .env.new
    echo "$1=$2" >> .env.new
    mv .env.new .env
}

[ -e .env ] || cp docker/env.example .env
set_value TEMPORAL_DATABASE_PASSWORD "$(random)"
# What commands write into ./files is yours.
mkdir -p files
set_value DULY_FILES_OWNER "$(id -u):$(id -g)"

# Only you may walk into the folder. Each file may be read, for it is mounted alone into containers of another user.
mkdir -p docker/secrets/certificates
chmod 700 docker/secrets
chmod 755 docker/secrets/certificates

make_secret() { # FILE VARIABLE [DEFAULT]
    [ ! -e "docker/secrets/$1" ] || return 0
    value=${2:+$(given "$2")}
    printf '%s\n' "${value:-${3:-}}" > "docker/secrets/$1"
    chmod 644 "docker/secrets/$1"
}

make_secret postgres_password POSTGRES_PASSWORD "$(random)"
make_secret duly_owner_password DULY_OWNER_PASSWORD "$(random)"
make_secret duly_runtime_password DULY_RUNTIME_PASSWORD "$(random)"
make_secret stripe_api_key STRIPE_API_KEY
make_secret stripe_webhook_secret STRIPE_WEBHOOK_SECRET
make_secret smtp_url DULY_SMTP_URL
# These may stand in `.env` instead, and stay there when they do.
for name in payload_keys temporal_api_key otlp_headers codec_tokens console_oidc_client_secret; do make_secret "$name" ""; done
make_secret second_stripe_api_key SECOND_STRIPE_API_KEY
make_secret second_stripe_webhook_secret SECOND_STRIPE_WEBHOOK_SECRET

for name in docker/secrets/*; do
    [ -d "$name" ] || [ -n "$(cat "$name")" ] || echo "$name is empty"
done
