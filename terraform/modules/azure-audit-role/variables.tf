variable "name" {
  description = "Name of the role; unique in the tenant."
  type        = string
  default     = "cloudseg-audit"
}

variable "subscription_id" {
  description = "Id of the one subscription to read; null for a management group."
  type        = string
  default     = null

  validation {
    condition     = var.subscription_id == null || can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", var.subscription_id))
    error_message = "A subscription's id looks like 00000000-0000-0000-0000-000000000000."
  }
}

variable "management_group_id" {
  description = "Id, not display name, of the management group whose subscriptions are all read; null for one subscription."
  type        = string
  default     = null
}

variable "principal_ids" {
  description = "Object ids of the users, groups, service principals or managed identities that get the role there."
  type        = list(string)
  default     = []
}
