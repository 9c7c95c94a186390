data "aws_partition" "current" {}

locals {
  read = [{
    Sid      = "Read"
    Effect   = "Allow"
    Action   = jsondecode(file("${path.module}/actions.json"))
    Resource = "*"
  }]

  organization = [for role in var.organization_member_role[*] : [
    {
      Sid      = "ListAccounts"
      Effect   = "Allow"
      Action   = "organizations:ListAccounts"
      Resource = "*"
    },
    {
      Sid      = "EnterAccounts"
      Effect   = "Allow"
      Action   = "sts:AssumeRole"
      Resource = "arn:${data.aws_partition.current.partition}:iam::*:role/${role}"
    },
  ]]

  # A null condition would be written out, and IAM refuses it.
  condition = { for id in var.external_id[*] : "Condition" => { StringEquals = { "sts:ExternalId" = id } } }
}

resource "aws_iam_role" "this" {
  name                 = var.name
  path                 = var.path
  description          = "Read-only: lets cloudseg audit how this account is segmented."
  max_session_duration = var.max_session_duration
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [merge({
      Sid       = "Enter"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { AWS = var.trusted_principal_arns }
    }, local.condition)]
  })
}

resource "aws_iam_policy" "this" {
  name        = var.name
  path        = var.path
  description = "The calls that cloudseg makes, and no other."
  tags        = var.tags

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = concat(local.read, flatten(local.organization))
  })
}

resource "aws_iam_role_policy_attachment" "this" {
  role       = aws_iam_role.this.name
  policy_arn = aws_iam_policy.this.arn
}
