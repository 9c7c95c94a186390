variable "name" {
  description = "Name of the role and of its policy."
  type        = string
  default     = "cloudseg-audit"
}

variable "path" {
  description = "IAM path of the role and of its policy."
  type        = string
  default     = "/"
}

variable "trusted_principal_arns" {
  description = "ARNs of the users, roles or account roots that may assume the role."
  type        = list(string)

  validation {
    condition     = length(var.trusted_principal_arns) > 0
    error_message = "Name at least one principal that may assume the role."
  }

  validation {
    condition     = alltrue([for arn in var.trusted_principal_arns : can(regex("^arn:[^:]+:(iam|sts)::[0-9]{12}:", arn))])
    error_message = "Each principal is the ARN of a user, a role or an account root; \"*\" is not allowed."
  }
}

variable "external_id" {
  description = "External id that a caller must present; null to ask for none. Set one when another organization audits the account."
  type        = string
  default     = null
}

variable "permissions_boundary_arn" {
  description = "ARN of a permissions boundary for the role; null for none."
  type        = string
  default     = null
}

variable "max_session_duration" {
  description = "Longest session in seconds."
  type        = number
  default     = 3600

  validation {
    condition     = var.max_session_duration >= 3600 && var.max_session_duration <= 43200
    error_message = "A session lasts between 3600 and 43200 seconds."
  }
}

variable "organization_member_role" {
  description = "In the management account: name of the role to assume in the other accounts of the organization. It adds listing the accounts and assuming that role; null for a single account."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of the role and of its policy."
  type        = map(string)
  default     = {}
}
