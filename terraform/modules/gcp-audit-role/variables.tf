variable "role_id" {
  description = "Id of the role; unique in the project or the organisation."
  type        = string
  default     = "cloudsegAudit"

  validation {
    condition     = can(regex("^[a-zA-Z0-9_.]{3,64}$", var.role_id))
    error_message = "A role's id has 3 to 64 letters, digits, underscores and dots."
  }
}

variable "project_id" {
  description = "Id of the one project to read; null for a folder or an organisation."
  type        = string
  default     = null
}

variable "organization_id" {
  description = "Number of the organisation that gets the role; null for one project."
  type        = string
  default     = null

  validation {
    condition     = var.organization_id == null || can(regex("^[0-9]+$", var.organization_id))
    error_message = "An organisation's number has digits alone."
  }
}

variable "folder_id" {
  description = "Number of a folder of the organisation: the members get the role there, not on the whole organisation."
  type        = string
  default     = null

  validation {
    condition     = var.folder_id == null || can(regex("^[0-9]+$", var.folder_id))
    error_message = "A folder's number has digits alone."
  }
}

variable "members" {
  description = "Who gets the role, such as serviceAccount:auditor@security.iam.gserviceaccount.com."
  type        = list(string)
  default     = []
}
