#!/bin/sh
# Creates the namespace with a retention long enough to look back at a quarter's runs. Safe to run again.
set -eu

if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
    echo "Namespace $TEMPORAL_NAMESPACE exists."
else
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 90d
fi
