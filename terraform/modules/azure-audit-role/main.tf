locals {
  subscription = "/subscriptions/${coalesce(var.subscription_id, "none")}"
  group        = "/providers/Microsoft.Management/managementGroups/${coalesce(var.management_group_id, "none")}"
  scope        = var.management_group_id == null ? local.subscription : local.group

  read = jsondecode(file("${path.module}/actions.json"))

  # Only at a management group are there subscriptions to list.
  list = var.management_group_id == null ? [] : ["Microsoft.Management/managementGroups/descendants/read"]
}

resource "azurerm_role_definition" "this" {
  name              = var.name
  scope             = local.scope
  description       = "Read-only: lets cloudseg audit how subscriptions are segmented."
  assignable_scopes = [local.scope]

  permissions {
    actions     = concat(local.read, local.list)
    not_actions = []
  }

  lifecycle {
    precondition {
      condition     = (var.subscription_id == null) != (var.management_group_id == null)
      error_message = "Set subscription_id or management_group_id, one of the two."
    }
  }
}

resource "azurerm_role_assignment" "this" {
  # Not for_each: an identity that is made in the same run has no id yet.
  count = length(var.principal_ids)

  scope              = local.scope
  role_definition_id = azurerm_role_definition.this.role_definition_resource_id
  principal_id       = var.principal_ids[count.index]
}
