@export()
@description('Who signs in.')
type credentials = {
  @description('The name.')
  user: string
  @secure()
  password: string
}

@export()
type queue = {
  name: string
  @minValue(1)
  @maxValue(14)
  days: int
}

@export()
var prefix = 'mail'

@export()
@description('The first three letters.')
func short(text string) string => substring(text, 0, min(3, length(text)))
