output "role_definition_id" {
  description = "Id of the role, to assign it elsewhere within its scope."
  value       = azurerm_role_definition.this.role_definition_resource_id
}

output "scope" {
  description = "Where the role can be assigned: the subscription or the management group."
  value       = local.scope
}
