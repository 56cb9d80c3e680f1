#!/bin/sh
# Fills /etc/nginx/templates/*.template with the environment's variables (only defined ones, so that $uri stays $uri).
set -e
defined="$(env | cut -d= -f1 | sed 's/.*/${&}/' | tr '\n' ' ')"
for template in /etc/nginx/templates/*.template; do
    if [ -f "$template" ]; then
        # shellcheck disable=SC2094 # two directories
        envsubst "$defined" <"$template" >"/etc/nginx/conf.d/$(basename "$template" .template)"
    fi
done
