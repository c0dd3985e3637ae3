"""Serves S3 for the tests, and for the lab in docker/: moto's server, which checks signatures.

Prints one line of JSON when it is ready: port, and the key pair that it lets in. Ends when its standard input does. With --keys FOLDER the
pair goes there instead, as the files id and secret, of which none is printed, and it ends on SIGTERM.
Requests are checked against the URI as it was sent: moto unquotes it first, and then refuses each query with a slash in it.
"""

import argparse
import json
import os
import pathlib
import signal
import sys
import threading

os.environ.pop("AWS_CA_BUNDLE", None)
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "1000000"

import boto3
import flask
from botocore.awsrequest import AWSRequest
from moto.iam import access_control
from moto.core import authorization
from moto import settings
from moto.server import ThreadedMotoServer


def aws_request(self):
    signed = self._get_string_between("SignedHeaders=", ",", self._headers["Authorization"]).split(";")
    headers = self._create_headers_for_aws_request(signed, self._headers)
    request = AWSRequest(
        method=self._method, url=flask.request.environ["RAW_URI"], data=self._body or self._data, headers=headers)
    request.context["timestamp"] = headers["X-Amz-Date"]
    return request


access_control.IAMRequestBase._create_aws_request = aws_request

asked = argparse.ArgumentParser()
asked.add_argument("--address", default="127.0.0.1")
asked.add_argument("--port", type=int, default=0)
asked.add_argument("--keys")
asked.add_argument("buckets", nargs="+")
asked = asked.parse_args()
if asked.keys:
    # Asked for below, in no other thread; and what an earlier server left tells nobody that this one is ready.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    pathlib.Path(asked.keys, "ready").unlink(missing_ok=True)

server = ThreadedMotoServer(ip_address=asked.address, port=asked.port, verbose=False)
server.start()
_, port = server.get_host_and_port()
options = dict(
    endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1", aws_access_key_id="setup", aws_secret_access_key="setup")
iam = boto3.client("iam", **options)
iam.create_user(UserName="muster")
everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
iam.put_user_policy(UserName="muster", PolicyName="all", PolicyDocument=json.dumps(everything))
pair = iam.create_access_key(UserName="muster")["AccessKey"]
for bucket in asked.buckets:
    boto3.client("s3", **options).create_bucket(Bucket=bucket)
settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
authorization.ActionAuthenticatorMixin.request_count = 0
if asked.keys:
    # The last one says that the others are there.
    for name, text in {"id": pair["AccessKeyId"], "secret": pair["SecretAccessKey"], "ready": ""}.items():
        with open(os.open(os.path.join(asked.keys, name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640), "w") as file:
            file.write(text)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
else:
    print(json.dumps({"port": port, "id": pair["AccessKeyId"], "secret": pair["SecretAccessKey"]}), flush=True)
    sys.stdin.read()
os._exit(0)
