"""requests and boto3.  usage: client.py SNAP-URL HOST BUCKET CA-FILE"""
import datetime
import sys

import boto3
import requests
from botocore.config import Config

url, host, bucket, authorities = sys.argv[1:]
answer = requests.get(url, timeout=15)
answer.raise_for_status()
store = boto3.client("s3", endpoint_url=f"https://{host}", region_name="us-east-1", verify=authorities,
                     config=Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required"))
key = f"python/{datetime.datetime.now(datetime.timezone.utc):%Y%m%dT%H%M%S%f}.jpg"
store.put_object(Bucket=bucket, Key=key, Body=answer.content, ContentType="image/jpeg")
