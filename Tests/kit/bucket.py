"""A bucket on a real S3 server, seen by boto3: the judge of what the program put there."""
import boto3
from botocore.config import Config


def client(server, keys=None, secure=False, service="s3", token=None):
    access, secret = keys or server["owner"]
    return boto3.client(
        service, endpoint_url=server["https" if secure else "http"], region_name=server["region"],
        aws_access_key_id=access, aws_secret_access_key=secret, aws_session_token=token,
        verify=server["ca"] if secure else None,
        config=Config(retries={"max_attempts": 2}, s3={"addressing_style": "path"},
                      request_checksum_calculation="when_required"))


class Bucket:
    def __init__(self, server, name, policy=None):
        self.name, self.server = name, server
        self.client = client(server)
        if name not in [b["Name"] for b in self.client.list_buckets()["Buckets"]]:
            self.client.create_bucket(Bucket=name)
        if policy:
            self.client.put_bucket_policy(Bucket=name, Policy=policy)

    def keys(self):
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        return sorted(o["Key"] for page in pages for o in page.get("Contents", []))

    def objects(self, prefix=""):
        return {k: self.get(k) for k in self.keys() if k.startswith(prefix)}

    def get(self, key):
        return self.client.get_object(Bucket=self.name, Key=key)["Body"].read()

    def head(self, key):
        return self.client.head_object(Bucket=self.name, Key=key)
