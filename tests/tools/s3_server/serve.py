"""Serves S3 on a free port of 127.0.0.1 until its input ends: moto's server, with signatures checked.

Prints four lines when it is ready: port, bucket, access key, secret key.
"""

import os
import sys
import urllib.parse

SETUP_CALLS = 4  # What may be called without a signature: what is below.
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = str(SETUP_CALLS)

import boto3  # noqa: E402
from moto.iam.access_control import S3IAMRequest  # noqa: E402
from moto.server import ThreadedMotoServer  # noqa: E402

BUCKET = "switchyard-test"
EVERYTHING = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'

as_moto_makes_it = S3IAMRequest._create_aws_request


def with_escaped_query(self):
    """moto 5.2.1 checks signatures over the unescaped query, and so refuses boto3's own `prefix=a%2Fb`."""
    request = as_moto_makes_it(self)
    path, _, query = request.url.partition("?")
    pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
    request.url = path + "?" + urllib.parse.urlencode(pairs, quote_via=urllib.parse.quote, safe="-_.~") if pairs else path
    return request


S3IAMRequest._create_aws_request = with_escaped_query


def main() -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    where = dict(
        endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1",
        aws_access_key_id="setup", aws_secret_access_key="setup",
    )
    iam = boto3.client("iam", **where)
    iam.create_user(UserName="switchyard")
    key = iam.create_access_key(UserName="switchyard")["AccessKey"]
    iam.put_user_policy(UserName="switchyard", PolicyName="everything", PolicyDocument=EVERYTHING)
    boto3.client("s3", **where).create_bucket(Bucket=BUCKET)
    print(port, BUCKET, key["AccessKeyId"], key["SecretAccessKey"], sep="\n", flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
