#!/bin/sh
# Two curls and a temporary file.  usage: script.sh SNAP-URL HOST BUCKET CA-FILE
set -eu
picture=$(mktemp)
trap 'rm -f "$picture"' EXIT
curl -sf -o "$picture" "$1"
hash=$(sha256sum "$picture")
curl -sf -T "$picture" --cacert "$4" --aws-sigv4 aws:amz:us-east-1:s3 \
    --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" -H "x-amz-content-sha256: ${hash%% *}" \
    "https://$2/$3/script/$(date +%Y%m%dT%H%M%S%N).jpg"
