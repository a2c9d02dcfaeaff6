# The providers.
terraform {
  required_version = ">= 1.0"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

/* Where. */
variable "region" {
  type    = string
  default = "eu"
}

locals {
  name  = "shape-${var.region}"
  count = length(var.list) + 1
}

provider "aws" {
  region = var.region
}

# A bucket.
resource "aws_s3_bucket" "main" {
  bucket = local.name
  count  = local.count > 1 ? 1 : 0

  dynamic "rule" {
    for_each = toset(var.rules)
    content {
      id = rule.value
    }
  }

  lifecycle {
    ignore_changes = [tags]
  }
}

data "aws_ami" "image" {
  owners = [for one in var.owners : upper(one) if one != null]
}

module "network" {
  source = "./modules/network"
  bucket = aws_s3_bucket.main[0].arn
  text   = <<-EOT
    Hello ${data.aws_ami.image.id}
  EOT
}

output "arn" {
  value = module.network.arn
}
