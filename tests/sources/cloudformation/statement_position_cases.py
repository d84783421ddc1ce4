"""Forms in which templates write statements; `«Name»` stands where statement Name is expected.

A statement is named by its Sid, else by its number. The marks are taken out before the template is
written. Several names in one mark are statements that are not written on their own.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """A template with marks, and the suffix of its file."""

    name: str
    text: str
    suffix: str = ".json"


_CONDITION = """\
  "Parameters": {"Stage": {"Type": "String"}},
  "Conditions": {"IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},"""
_YAML_CONDITION = """\
Parameters: {Stage: {Type: String}}
Conditions: {IsProd: !Equals [!Ref Stage, prod]}"""

_JSON = (
    Case(
        "key policy",
        """\
{
  "Resources": {
    "Key": {
      "Type": "AWS::KMS::Key",
      "Properties": {
        "KeyPolicy": {
          "Version": "2012-10-17",
          "Statement": [
            «Root»{
              "Sid": "Root", "Effect": "Allow", "Principal": {"AWS": "111122223333"},
              "Action": "kms:*", "Resource": "*"
            },
            «Deny»{
              "Sid": "Deny", "Effect": "Deny", "Principal": "*",
              "Action": "kms:Decrypt", "Resource": "*"
            }
          ]
        }
      }
    }
  }
}
""",
    ),
    Case(
        "on one line",
        '{"Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": '
        '[«A»{"Sid": "A", "Effect": "Allow", "Principal": "*", "Action": "kms:Sign", "Resource": '
        '"*"}, «B»{"Sid": "B", "Effect": "Allow", "Principal": "*", "Action": "kms:Verify", '
        '"Resource": "*"}]}}}}}',
    ),
    Case(
        "one statement that is no list",
        """\
{"Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {
  "Version": "2012-10-17",
  "Statement":
    «Only»{"Sid": "Only", "Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}
}}}}}
""",
    ),
    Case(
        "inline policies and the trust policy of a role",
        """\
{"Resources": {
  "Other": {"Type": "AWS::S3::Bucket"},
  "Role": {"Type": "AWS::IAM::Role", "Properties": {
    "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
      «Trust»{"Sid": "Trust", "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"},
        "Action": "sts:AssumeRole"},
      «Users»{"Sid": "Users", "Effect": "Allow", "Principal": {"AWS": "111122223333"},
        "Action": "sts:AssumeRole"}
    ]},
    "Policies": [
      {"PolicyName": "one", "PolicyDocument": {"Version": "2012-10-17", "Statement": [
        «First»{"Sid": "First", "Effect": "Allow", "Action": "kms:Sign", "Resource": "*"}
      ]}},
      {"PolicyName": "two", "PolicyDocument": {"Version": "2012-10-17", "Statement": [
        «Second»{"Sid": "Second", "Effect": "Allow", "Action": "kms:Sign", "Resource": "*"}
      ]}}
    ]
  }}
}}
""",
    ),
    Case(
        "policies of their own",
        """\
{"Resources": {
  "Role": {"Type": "AWS::IAM::Role", "Properties": {
    "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}},
  "Inline": {"Type": "AWS::IAM::Policy", "Properties": {
    "PolicyName": "inline", "Roles": [{"Ref": "Role"}],
    "PolicyDocument": {"Version": "2012-10-17", "Statement": [
      «Inline»{"Sid": "Inline", "Effect": "Allow", "Action": "kms:Sign", "Resource": "*"}]}}},
  "Managed": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {
    "Roles": [{"Ref": "Role"}],
    "PolicyDocument": {"Version": "2012-10-17", "Statement": [
      «Managed»{"Sid": "Managed", "Effect": "Allow", "Action": "kms:Sign", "Resource": "*"}]}}},
  "OfRole": {"Type": "AWS::IAM::RolePolicy", "Properties": {
    "PolicyName": "of role", "RoleName": {"Ref": "Role"},
    "PolicyDocument": {"Version": "2012-10-17", "Statement": [
      «OfRole»{"Sid": "OfRole", "Effect": "Allow", "Action": "kms:Sign", "Resource": "*"}]}}},
  "Limit": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {
    "PolicyDocument": {"Version": "2012-10-17", "Statement": [
      «Limit»{"Sid": "Limit", "Effect": "Allow", "Action": "kms:Sign", "Resource": "*"}]}}},
  "User": {"Type": "AWS::IAM::User", "Properties": {
    "PermissionsBoundary": {"Ref": "Limit"}, "Groups": [{"Ref": "Group"}]}},
  "Group": {"Type": "AWS::IAM::Group", "Properties": {
    "Policies": [{"PolicyName": "group", "PolicyDocument": {"Version": "2012-10-17", "Statement": [
      «Group»{"Sid": "Group", "Effect": "Allow", "Action": "kms:Sign", "Resource": "*"}]}}]}}
}}
""",
    ),
    Case(
        "statements that say the same",
        """\
{"Resources": {"User": {"Type": "AWS::IAM::User", "Properties": {"Policies": [
  {"PolicyName": "twice", "PolicyDocument": {"Version": "2012-10-17", "Statement": [
    «1»{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"},
    «2»{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"},

    «3»{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}
  ]}}
]}}}}
""",
    ),
    Case(
        "Fn::If around a statement, a list, a part of a statement",
        f"""\
{{{_CONDITION}
  "Resources": {{"Key": {{"Type": "AWS::KMS::Key", "Properties": {{"KeyPolicy": {{
    "Version": "2012-10-17",
    "Statement": [
      {{"Fn::If": ["IsProd",
        «Yes»{{"Sid": "Yes", "Effect": "Allow", "Principal": "*", "Action": "kms:Sign",
          "Resource": "*"}},
        «No»{{"Sid": "No", "Effect": "Allow", "Principal": "*", "Action": "kms:Verify",
          "Resource": "*"}}]}},
      {{"Fn::If": ["IsProd",
        «Maybe»{{"Sid": "Maybe", "Effect": "Allow", "Principal": "*", "Action": "kms:Sign",
          "Resource": "*"}},
        {{"Ref": "AWS::NoValue"}}]}},
      «Part»{{"Sid": "Part", "Effect": "Allow", "Principal": "*", "Resource": "*",
        "Action": {{"Fn::If": ["IsProd", "kms:Decrypt", "kms:Encrypt"]}}}},
      «After»{{"Sid": "After", "Effect": "Allow", "Principal": "*", "Action": "kms:Sign",
        "Resource": "*"}}
    ]}}}}}}}}}}
""",
    ),
    Case(
        "Fn::If around the document",
        f"""\
{{{_CONDITION}
  "Resources": {{"Key": {{"Type": "AWS::KMS::Key", "Properties": {{
  "KeyPolicy": {{"Fn::If": ["IsProd",
    {{"Version": "2012-10-17", "Statement": [
      «Both»{{"Sid": "Both", "Effect": "Allow", "Principal": "*", "Action": "kms:*",
        "Resource": "*"}},
      «Yes»{{"Sid": "Yes", "Effect": "Allow", "Principal": "*", "Action": "kms:Sign",
        "Resource": "*"}}]}},
    {{"Version": "2012-10-17", "Statement": {{"Fn::If": ["IsProd", [], [
      {{"Sid": "Both", "Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}},
      «No»{{"Sid": "No", "Effect": "Allow", "Principal": "*", "Action": "kms:Sign",
        "Resource": "*"}}]]}}}}
  ]}}}}}}}}}}
""",
    ),
    Case(
        "a document in a string",
        r"""
{"Resources": {
  "User": {"Type": "AWS::IAM::User", "Properties": {"Policies": [
    {"PolicyName": "p", "PolicyDocument":
      «Text More»"{\"Version\": \"2012-10-17\", \"Statement\": [{\"Sid\": \"Text\", \"Effect\":
        \"Allow\", \"Action\": \"kms:Sign\", \"Resource\": \"*\"}, {\"Sid\": \"More\", \"Effect\":
        \"Allow\", \"Action\": \"kms:Sign\", \"Resource\": \"*\"}]}"}
  ]}},
  "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy":
    «Sub»{"Fn::Sub": "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Sid\": \"Sub\", \"Effect\":
      \"Allow\", \"Principal\": \"*\", \"Action\": \"kms:*\", \"Resource\": \"*\"}]}"}
  }}
}}
""".replace("\n        \\", " \\").replace("\n      \\", " \\"),
    ),
    Case(
        "a statement that a function builds",
        """\
{"Mappings": {"Statements": {"all": {"kms": ["kms:*"]}}},
 "Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {
   "Version": "2012-10-17",
   "Statement": [
     «1»{"Effect": "Allow", "Principal": "*", "Resource": "*",
       "Action": {"Fn::FindInMap": ["Statements", "all", "kms"]}}]}}}}}
""",
    ),
    Case(
        "a resource that a loop makes, and one beside it",
        """\
{"Transform": "AWS::LanguageExtensions",
 "Resources": {
  «Looped»"Fn::ForEach::Keys": ["Name", ["A"], {"Key${Name}": {"Type": "AWS::KMS::Key",
    "Properties": {"KeyPolicy": {"Version": "2012-10-17", "Statement": [
      {"Sid": "Looped", "Effect": "Allow", "Principal": "*", "Action": "kms:*",
        "Resource": "*"}]}}}}],
  "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {
    "Version": "2012-10-17", "Statement": [
      «Beside»{"Sid": "Beside", "Effect": "Allow", "Principal": "*", "Action": "kms:*",
        "Resource": "*"}]}}}
}}
""",
    ),
)

_YAML = (
    Case(
        "blocks with short forms",
        """\
# The first line is a comment.
Resources:
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Version: "2012-10-17"
        Statement:
          # Who administers the key.
          - «Root»Sid: Root
            Effect: Allow
            Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:root"}
            Action: kms:*
            Resource: "*"

          -
            «Use»Effect: Allow
            Sid: Use
            Principal: {AWS: !GetAtt Role.Arn}
            Action: [kms:Decrypt]
            Resource: "*"
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          «Trust»Sid: Trust
          Effect: Allow
          Principal: {Service: ec2.amazonaws.com}
          Action: sts:AssumeRole
      Policies:
        - PolicyName: one
          PolicyDocument:
            Version: "2012-10-17"
            Statement: [«Flow»{Sid: Flow, Effect: Allow, Action: kms:Sign, Resource: "*"},
                        «Next»{Sid: Next, Effect: Allow, Action: kms:Sign, Resource: "*"}]
""",
        ".yaml",
    ),
    Case(
        "If in its short and long form",
        f"""\
{_YAML_CONDITION}
Resources:
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Version: "2012-10-17"
        Statement:
          - !If
            - IsProd
            - «Yes»Sid: "Yes"
              Effect: Allow
              Principal: "*"
              Action: kms:Sign
              Resource: "*"
            - !Ref AWS::NoValue
          - Fn::If:
              - IsProd
              - «Long»{{Sid: Long, Effect: Allow, Principal: "*", Action: "kms:*", Resource: "*"}}
              - «Else»{{Sid: Else, Effect: Allow, Principal: "*", Action: "kms:*", Resource: "*"}}
          - «Part»Sid: Part
            Effect: Allow
            Principal: "*"
            Action: !If [IsProd, kms:Sign, kms:Verify]
            Resource: "*"
""",
        ".yml",
    ),
    Case(
        "a document in a string",
        """\
Resources:
  User:
    Type: AWS::IAM::User
    Properties:
      Policies:
        - PolicyName: block
          PolicyDocument: «Block»|
            {"Version": "2012-10-17", "Statement": [
              {"Sid": "Block", "Effect": "Allow", "Action": "kms:Sign", "Resource": "*"}]}
        - PolicyName: sub
          PolicyDocument: «Sub»!Sub >
            {"Version": "2012-10-17", "Statement": [
              {"Sid": "Sub", "Effect": "Allow", "Action": "kms:Sign", "Resource": "*"}]}
""",
        ".yaml",
    ),
    Case(
        "statements that say the same",
        """\
Resources:
  User:
    Type: AWS::IAM::User
    Properties:
      Policies:
        - PolicyName: twice
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - «1»{Effect: Allow, Action: kms:Decrypt, Resource: "*"}
              - «2»{Effect: Allow, Action: kms:Decrypt, Resource: "*"}
""",
        ".yaml",
    ),
    Case(
        "a resource beside a loop",
        """\
Transform: AWS::LanguageExtensions
Resources:
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Version: "2012-10-17"
        Statement:
          - «Beside»Sid: Beside
            Effect: Allow
            Principal: "*"
            Action: kms:*
            Resource: "*"
  «Looped»Fn::ForEach::Keys:
    - Name
    - [A]
    - Key${Name}:
        Type: AWS::KMS::Key
        Properties:
          KeyPolicy:
            Version: "2012-10-17"
            Statement:
              - {Sid: Looped, Effect: Allow, Principal: "*", Action: "kms:*", Resource: "*"}
""",
        ".yaml",
    ),
    Case(
        "JSON in a file of YAML",
        """\
{"Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": [
  «A»{"Sid": "A", "Effect": "Allow", "Principal": "*", "Action": "kms:Sign", "Resource": "*"}]}}}}}
""",
        ".yaml",
    ),
)

CASES = (*_JSON, *_YAML)
