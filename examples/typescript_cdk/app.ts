/** An app in TypeScript: orders are encrypted, one role handles them, another one reports. */

import * as cdk from "aws-cdk-lib";
import * as iam from "aws-cdk-lib/aws-iam";
import * as kms from "aws-cdk-lib/aws-kms";
import { Construct } from "constructs";

const env: cdk.Environment = { account: "111122223333", region: "eu-central-1" };
const lambda = new iam.ServicePrincipal("lambda.amazonaws.com");

class Storage extends cdk.Stack {
  readonly orders: kms.Key;

  constructor(scope: Construct) {
    super(scope, "Storage", { env });
    this.orders = new kms.Key(this, "Orders", { alias: "alias/orders", enableKeyRotation: true });
  }
}

interface WorkersProps {
  readonly orders: kms.IKey;
  readonly reportsReadOrders: boolean;
}

class Workers extends cdk.Stack {
  constructor(scope: Construct, props: WorkersProps) {
    super(scope, "Workers", { env });
    const handler = new iam.Role(this, "Handler", { roleName: "orders-handler", assumedBy: lambda });
    const reports = new iam.Role(this, "Reports", { roleName: "orders-reports", assumedBy: lambda });

    props.orders.grantEncryptDecrypt(handler);
    if (props.reportsReadOrders) {
      props.orders.grantDecrypt(reports);
    }
  }
}

const app = new cdk.App();
const production = new cdk.Stage(app, "Production");
const storage = new Storage(production);
new Workers(production, {
  orders: storage.orders,
  reportsReadOrders: app.node.tryGetContext("broken") === "true",
});
