locals {
  read = jsondecode(file("${path.module}/permissions.json"))

  # Only an organisation has access policies to list.
  read_organization = concat(local.read, ["cloudasset.assets.listAccessPolicy"])

  title       = "cloudseg audit"
  description = "Read-only: lets cloudseg audit how projects are segmented."
}

resource "google_project_iam_custom_role" "this" {
  count = var.project_id == null ? 0 : 1

  project     = var.project_id
  role_id     = var.role_id
  title       = local.title
  description = local.description
  permissions = local.read

  lifecycle {
    precondition {
      condition     = var.organization_id == null && var.folder_id == null
      error_message = "Set project_id or organization_id, one of the two."
    }
  }
}

resource "google_organization_iam_custom_role" "this" {
  count = var.project_id == null ? 1 : 0

  org_id      = var.organization_id
  role_id     = var.role_id
  title       = local.title
  description = local.description
  permissions = local.read_organization

  lifecycle {
    precondition {
      condition     = var.organization_id != null
      error_message = "Set project_id or organization_id, one of the two; a folder takes the role of its organisation."
    }
  }
}

# Not for_each: a service account that is made in the same run has no name yet.
resource "google_project_iam_member" "this" {
  count = var.project_id == null ? 0 : length(var.members)

  project = var.project_id
  role    = google_project_iam_custom_role.this[0].id
  member  = var.members[count.index]
}

resource "google_folder_iam_member" "this" {
  count = var.folder_id == null ? 0 : length(var.members)

  folder = "folders/${var.folder_id}"
  role   = google_organization_iam_custom_role.this[0].id
  member = var.members[count.index]
}

resource "google_organization_iam_member" "this" {
  count = var.project_id == null && var.folder_id == null ? length(var.members) : 0

  org_id = var.organization_id
  role   = google_organization_iam_custom_role.this[0].id
  member = var.members[count.index]
}
