"""What kinds of check share, those of other repositories too; every kind imports from here and none from another kind."""
