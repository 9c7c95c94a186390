output "role" {
  description = "Full name of the role, to grant it elsewhere."
  value       = one(concat(google_project_iam_custom_role.this[*].id, google_organization_iam_custom_role.this[*].id))
}
